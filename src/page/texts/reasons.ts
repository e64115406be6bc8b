/** Why no turn can run, and what to do, by the service's code. */
import { defineTexts } from "./language.js";

export interface Advice {
  readonly title: string;
  readonly todo: string;
  /** To be typed into a terminal. */
  readonly command: string | null;
}

const login = "codex login";
const doctor = "codex-native-api doctor";

export const reasonTexts = defineTexts(
  {
    native_login_required: "Codex is not logged in on this machine.",
    native_login_required_todo:
      "Log in once in a terminal on this machine. The service notices by itself; no restart is needed.",
    native_runtime_unavailable: "Codex is starting, restarting or missing.",
    native_runtime_unavailable_todo:
      "After a start or a crash this passes within seconds. If it stays, let the doctor check the installation.",
    network_misconfigured: "A proxy or its certificate keeps Codex from the model.",
    network_misconfigured_todo:
      "The message names the setting to change. The doctor tries the way to the model.",
    upstream_connection_failed: "The model's servers cannot be reached.",
    upstream_connection_failed_todo: "Check the network of this machine. The service tries again by itself.",
    usage_limit_reached: "The plan's allowance is used up.",
    usage_limit_reached_todo: "Turns run again when the window resets; the bars below say when.",
    other: "No turn can run now.",
    other_todo: "The service says why. The doctor checks login, network and installation.",
  },
  {
    native_login_required: "本机尚未登录 Codex。",
    native_login_required_todo: "在本机终端中登录一次即可。服务会自动察觉，无需重启。",
    native_runtime_unavailable: "Codex 正在启动、重启，或未安装。",
    native_runtime_unavailable_todo: "启动或崩溃之后几秒内即可恢复。若持续不恢复，请用 doctor 检查安装。",
    network_misconfigured: "代理或其证书使 Codex 无法连接模型。",
    network_misconfigured_todo: "消息中写明了要修改的设置。doctor 会测试到模型的连接。",
    upstream_connection_failed: "无法连接模型服务器。",
    upstream_connection_failed_todo: "请检查本机网络。服务会自动重试。",
    usage_limit_reached: "套餐额度已用完。",
    usage_limit_reached_todo: "窗口重置后即可继续；下方的进度条显示重置时间。",
    other: "现在无法运行任何轮次。",
    other_todo: "服务说明了原因。doctor 会检查登录、网络和安装。",
  },
);

type ReasonTexts = (typeof reasonTexts)["en" | "zh"];

/** @param code of `reason` in the state; one that is unknown here gets general advice. */
export function adviceFor(code: string, texts: ReasonTexts): Advice {
  switch (code) {
    case "native_login_required":
      return { title: texts[code], todo: texts.native_login_required_todo, command: login };
    case "native_runtime_unavailable":
      return { title: texts[code], todo: texts.native_runtime_unavailable_todo, command: doctor };
    case "network_misconfigured":
      return { title: texts[code], todo: texts.network_misconfigured_todo, command: doctor };
    case "upstream_connection_failed":
      return { title: texts[code], todo: texts.upstream_connection_failed_todo, command: doctor };
    case "usage_limit_reached":
      return { title: texts[code], todo: texts.usage_limit_reached_todo, command: null };
    default:
      return { title: texts.other, todo: texts.other_todo, command: doctor };
  }
}
