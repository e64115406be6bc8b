/** What an error code means and what to do, in a sentence each. Codes that are not here are described in the package's docs/errors.md. */
import { defineTexts } from "./language.js";

export interface CodeMeaning {
  readonly title: string;
  readonly todo: string;
  /** To be typed into a terminal. */
  readonly command: string | null;
  /** False: the sentences are the general ones. */
  readonly isKnown: boolean;
}

export const codeTexts = defineTexts(
  {
    invalid_json: "The body was not JSON.",
    invalid_json_todo: "Send valid JSON in UTF-8, with Content-Type: application/json.",
    invalid_request: "A field of the request was missing, empty or of the wrong type.",
    invalid_request_todo: "Correct the field that is named here. The same request will fail again.",
    unsupported_responses_feature: "The request asked for something that Codex cannot express.",
    unsupported_responses_feature_todo:
      "Leave out the field that is named here, or use the form that the error's message suggests.",
    unsupported_chat_completions_feature: "The request asked for something that Codex cannot express.",
    unsupported_chat_completions_feature_todo:
      "Leave out the field that is named here, or use the form that the error's message suggests.",
    model_not_found: "There is no model of this name for this login, or not with this effort.",
    model_not_found_todo: "Use a name that GET /v1/models lists, or leave model out to get the default.",
    model_not_allowed: "The caller's token may not use this model.",
    model_not_allowed_todo:
      "Use one of the token's models, or add this one to models of the token in the configuration.",
    invalid_auth_token: "The token was missing, wrong or switched off.",
    invalid_auth_token_todo: "Send Authorization: Bearer with a token that this service knows.",
    route_not_found: "There is no such address.",
    route_not_found_todo:
      "The base URL of OpenAI's clients ends in /v1, once. Some parts of OpenAI's API are not served.",
    continuation_not_found: "The response to continue is not known here.",
    continuation_not_found_todo:
      "It was never stored, was deleted, belongs to another token, or was lost in a restart. Send the whole history instead.",
    continuation_expired: "The response to continue was stored and has expired.",
    continuation_expired_todo:
      "Send the whole history instead. To keep responses longer, raise continuation.ttlMs.",
    response_in_progress: "The response to continue was still running.",
    response_in_progress_todo: "Wait for its end, then send the request again.",
    queue_full: "Too many turns were waiting already.",
    queue_full_todo:
      "Send it again after a moment. If it happens often, send less at a time or raise admission.maxQueue.",
    queue_timeout: "The turn waited too long for a place. Nothing of it ran.",
    queue_timeout_todo:
      "Send it again later. If it happens often, raise admission.maxConcurrentTurns, or admission.queueTimeoutMs.",
    token_concurrency_exceeded: "The token had as many turns running as it may.",
    token_concurrency_exceeded_todo: "Wait for one to end, or raise maxConcurrentTurns of the token.",
    rate_limit_exceeded: "The model's servers take no more requests for now.",
    rate_limit_exceeded_todo: "Send it again after Retry-After, and fewer at a time.",
    usage_limit_reached: "The plan's allowance was used up.",
    usage_limit_reached_todo: "Turns run again when the window resets. The first view says when.",
    server_overloaded: "The model's servers, or Codex itself, were overloaded.",
    server_overloaded_todo: "Send it again after a moment.",
    native_login_required: "Codex was not logged in on this machine.",
    native_login_required_todo:
      "Log in once in a terminal of the user who runs the service. It notices by itself.",
    native_runtime_unavailable: "Codex was starting, restarting or missing.",
    native_runtime_unavailable_todo:
      "After a start or a crash this passes within seconds. If it stays, let the doctor look.",
    upstream_connection_failed: "The model's servers could not be reached, or cut the answer off.",
    upstream_connection_failed_todo:
      "Send it again. If it stays, check the network and the proxy of this machine; the doctor tries the way.",
    network_misconfigured: "A proxy or its certificate keeps Codex from the model.",
    network_misconfigured_todo: "The error's message and the doctor name the setting to change.",
    upstream_bad_request: "The model's servers refused the request.",
    upstream_bad_request_todo:
      "Often a schema that strict mode does not take, an effort that the model lacks, or a text that is too long. The answer's message has their words.",
    upstream_forbidden: "The model's servers forbid this to the account or this machine.",
    upstream_forbidden_todo: "The answer's message has their words. Try another model, or another network.",
    context_length_exceeded: "The input does not fit into the model's context.",
    context_length_exceeded_todo: "Send less, or use a model with a larger context.",
    content_policy_violation: "The policy of the model's servers refused the request.",
    content_policy_violation_todo: "Change what is asked. The same request will be refused again.",
    invalid_model_output: "The model's answer broke the schema or was cut off.",
    invalid_model_output_todo:
      "Send it again. If it stays, ask fewer questions at once, or use another model.",
    turn_stalled: "The turn made no progress for too long.",
    turn_stalled_todo: "Send it again. For models that think for many minutes raise turns.idleTimeoutMs.",
    turn_timeout: "The turn took longer than it may.",
    turn_timeout_todo: "Ask for less, lower the effort, or raise turns.timeoutMs.",
    turn_cancelled: "The caller cancelled the turn.",
    turn_cancelled_todo: "Nothing to mend here: the program that asked has gone or changed its mind.",
    internal_error: "A fault in the service itself.",
    internal_error_todo: "Its log has the cause under this request's id. Please report it.",
    other: "The request failed.",
    other_todo:
      "The file docs/errors.md of the package has a section on each code: what it means and what to do.",
  },
  {
    invalid_json: "请求体不是 JSON。",
    invalid_json_todo: "请发送 UTF-8 编码的有效 JSON，并带上 Content-Type: application/json。",
    invalid_request: "请求中有字段缺失、为空或类型错误。",
    invalid_request_todo: "请更正此处指出的字段。原样重发仍会失败。",
    unsupported_responses_feature: "请求用到了 Codex 无法表达的功能。",
    unsupported_responses_feature_todo: "请去掉此处指出的字段，或改用错误消息建议的写法。",
    unsupported_chat_completions_feature: "请求用到了 Codex 无法表达的功能。",
    unsupported_chat_completions_feature_todo: "请去掉此处指出的字段，或改用错误消息建议的写法。",
    model_not_found: "此登录没有这个名称的模型，或模型不支持该推理强度。",
    model_not_found_todo: "请使用 GET /v1/models 列出的名称，或省略 model 以使用默认模型。",
    model_not_allowed: "调用方的令牌不能使用此模型。",
    model_not_allowed_todo: "请使用该令牌允许的模型，或在配置中把此模型加入令牌的 models。",
    invalid_auth_token: "令牌缺失、错误或已停用。",
    invalid_auth_token_todo: "请以 Authorization: Bearer 发送此服务认识的令牌。",
    route_not_found: "没有这个地址。",
    route_not_found_todo: "OpenAI 客户端的 base URL 以一个 /v1 结尾。OpenAI API 的某些部分不提供。",
    continuation_not_found: "找不到要继续的响应。",
    continuation_not_found_todo: "它从未存储、已删除、属于另一个令牌，或因重启而丢失。请改为发送完整历史。",
    continuation_expired: "要继续的响应曾存储过，现已过期。",
    continuation_expired_todo: "请改为发送完整历史。要保留更久，请调高 continuation.ttlMs。",
    response_in_progress: "要继续的响应仍在运行。",
    response_in_progress_todo: "请等它结束后重新发送。",
    queue_full: "等待的轮次已经太多。",
    queue_full_todo: "请稍后重发。若经常发生，请减少并发或调高 admission.maxQueue。",
    queue_timeout: "轮次等待位置的时间过长，没有任何部分运行过。",
    queue_timeout_todo:
      "请稍后重发。若经常发生，请调高 admission.maxConcurrentTurns 或 admission.queueTimeoutMs。",
    token_concurrency_exceeded: "该令牌同时运行的轮次已达上限。",
    token_concurrency_exceeded_todo: "请等一个结束，或调高该令牌的 maxConcurrentTurns。",
    rate_limit_exceeded: "模型服务器暂时不再接受请求。",
    rate_limit_exceeded_todo: "请在 Retry-After 之后重发，并减少并发。",
    usage_limit_reached: "套餐额度已用完。",
    usage_limit_reached_todo: "窗口重置后即可继续，第一个视图显示重置时间。",
    server_overloaded: "模型服务器或 Codex 过载。",
    server_overloaded_todo: "请稍后重发。",
    native_login_required: "本机的 Codex 未登录。",
    native_login_required_todo: "请以运行服务的用户在终端中登录一次。服务会自动察觉。",
    native_runtime_unavailable: "Codex 正在启动、重启，或未安装。",
    native_runtime_unavailable_todo: "启动或崩溃后几秒内即可恢复。若持续不恢复，请用 doctor 检查。",
    upstream_connection_failed: "无法连接模型服务器，或回答被中断。",
    upstream_connection_failed_todo: "请重发。若持续发生，请检查本机的网络和代理；doctor 会测试连接。",
    network_misconfigured: "代理或其证书使 Codex 无法连接模型。",
    network_misconfigured_todo: "错误消息和 doctor 会指出要修改的设置。",
    upstream_bad_request: "模型服务器拒绝了请求。",
    upstream_bad_request_todo:
      "常见原因：严格模式不接受的 schema、模型不支持的推理强度、过长的文本。回答中的消息是服务器的原话。",
    upstream_forbidden: "模型服务器不允许此账户或本机这样做。",
    upstream_forbidden_todo: "回答中的消息是服务器的原话。请换一个模型或网络。",
    context_length_exceeded: "输入超出了模型的上下文。",
    context_length_exceeded_todo: "请减少输入，或使用上下文更大的模型。",
    content_policy_violation: "模型服务器的政策拒绝了请求。",
    content_policy_violation_todo: "请修改内容。原样重发仍会被拒绝。",
    invalid_model_output: "模型的回答不符合 schema，或被截断。",
    invalid_model_output_todo: "请重发。若持续发生，请减少每次的问题数，或换一个模型。",
    turn_stalled: "轮次长时间没有进展。",
    turn_stalled_todo: "请重发。若模型需要思考很多分钟，请调高 turns.idleTimeoutMs。",
    turn_timeout: "轮次超过了允许的时间。",
    turn_timeout_todo: "请减少要求、降低推理强度，或调高 turns.timeoutMs。",
    turn_cancelled: "调用方取消了轮次。",
    turn_cancelled_todo: "无需处理：发出请求的程序已离开或改变了主意。",
    internal_error: "服务自身的故障。",
    internal_error_todo: "日志中以此请求的 id 记录了原因。请向我们报告。",
    other: "请求失败。",
    other_todo: "软件包中的 docs/errors.md 逐一说明每个代码的含义和处理方法。",
  },
);

type CodeTexts = (typeof codeTexts)["en" | "zh"];

const commands: ReadonlyMap<string, string> = new Map([
  ["native_login_required", "codex login"],
  ["native_runtime_unavailable", "codex-native-api doctor"],
  ["upstream_connection_failed", "codex-native-api doctor"],
  ["network_misconfigured", "codex-native-api doctor"],
]);

export function meaningOf(code: string, texts: CodeTexts): CodeMeaning {
  const all: ReadonlyMap<string, string> = new Map(Object.entries(texts));
  const todo = all.get(`${code}_todo`);
  const title = all.get(code);
  if (title === undefined || todo === undefined)
    return { title: texts.other, todo: texts.other_todo, command: null, isKnown: false };
  return { title, todo, command: commands.get(code) ?? null, isKnown: true };
}
