/** What each parameter with a place does. Tests compare the names with the tables that decide. */

const metadata =
  "Echoed. Beside OpenAI's pairs of strings it may hold `codexbridge`, which goes into logs and `native_api` and is not sent upstream.";

export const responsesNotes: Readonly<Record<string, string>> = {
  background:
    'Answers at once with `status: "queued"`; read the response later, or attach to its stream. Needs `store`.',
  include: "`reasoning.encrypted_content` is honoured; other values have no effect.",
  input: "A text, or items. May be left out with `previous_response_id`.",
  instructions: "Base instructions of the turn. Not taken over from the response before.",
  metadata,
  modalities: '`["text"]`; anything else is refused.',
  model: "A model id of `GET /v1/models`. Default: the configured one, else the catalog's.",
  n: "1; more is refused.",
  parallel_tool_calls:
    "`false` is said to the model in words, and listed in `native_api.ignored_parameters` where it did not obey.",
  priority: "Ours. `background` lets interactive turns go first. Default: `interactive`.",
  previous_response_id: "A stored response to go on from. Any number of responses may follow one.",
  reasoning:
    "`effort` goes on as it is; `summary`, or its older name `generate_summary`, asks for a summary.",
  service_tier: "As it is; `auto` and `default` mean none.",
  store: "Default true: kept in memory until it expires. False: cannot be read or continued.",
  stream: "True for server-sent events.",
  stream_options: "`include_obfuscation` has no effect.",
  text: "`format` of type `json_schema` is enforced where the schema keeps to OpenAI's rules for strict ones, else asked for in words; so is `json_object`.",
  tool_choice: "A choice offers fewer tools; that one must be called is said to the model in words.",
  tools: "Functions of the caller's, and Codex's web search. The model has no other tools.",
  truncation: "`auto` has no effect.",
};

export const chatNotes: Readonly<Record<string, string>> = {
  messages: "The whole history, in order. Nothing is stored.",
  metadata,
  modalities: '`["text"]`; `audio` is refused.',
  model: "A model id of `GET /v1/models`. Default: the configured one, else the catalog's.",
  n: "1; more is refused.",
  parallel_tool_calls:
    "`false` is said to the model in words, and listed in `native_api.ignored_parameters` where it did not obey.",
  priority: "Ours. `background` lets interactive turns go first. Default: `interactive`.",
  reasoning_effort: "As it is: models have their own.",
  response_format:
    "`json_schema` is enforced where the schema keeps to OpenAI's rules for strict ones, else asked for in words; so is `json_object`.",
  service_tier: "As it is; `auto` and `default` mean none.",
  store: "Taken; no completion can be read back, whatever it says.",
  stream: "True for server-sent events.",
  stream_options: "`include_usage` adds a last chunk with the usage.",
  tool_choice: "A choice offers fewer tools; that one must be called is said to the model in words.",
  tools: "Functions of the caller's. The model has no other tools.",
  verbosity: "As it is.",
  web_search_options: "Turns Codex's own web search on.",
};
