/**
 * What a streaming client sees of each kind of output, event by event, on the real app-server. The contract test beside it pins
 * every field over a scripted runtime; this one pins what Codex makes of the model's events.
 */

import t from "tap";
import { lacks } from "../support/codex-version.js";
import {
  cutConnection,
  functionCall,
  incomplete,
  reasoning,
  refusal,
  reply,
  type StreamReply,
  text,
  webSearchCall,
} from "../support/offline-backend/index.js";
import { type ServiceHarness, startServiceHarness } from "../support/service-harness.js";
import { parseSse, type SseEvent } from "../support/sse-events.js";

interface Sequence {
  readonly kind: string;
  readonly reply: StreamReply;
  readonly body?: object;
  readonly events: readonly string[];
}

const begun = ["created in_progress", "in_progress in_progress"];

const message = (index: number, deltas: readonly string[], ...annotations: readonly string[]) => [
  `output_item.added ${index} message in_progress`,
  `content_part.added ${index}/0 output_text`,
  ...deltas.map((delta) => `output_text.delta ${index}/0 '${delta}'`),
  ...annotations.map((url) => `output_text.annotation.added ${index}/0 ${url}`),
  `output_text.done ${index}/0 '${deltas.join("")}'`,
  `content_part.done ${index}/0 output_text`,
  `output_item.done ${index} message completed`,
];

const call = (index: number, args: string) => [
  `output_item.added ${index} function_call in_progress`,
  `function_call_arguments.delta ${index} '${args}'`,
  `function_call_arguments.done ${index} '${args}'`,
  `output_item.done ${index} function_call completed`,
];

const weather = {
  type: "function",
  name: "weather",
  strict: false,
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

const callOf = (city: string) => functionCall({ name: "weather", arguments: { city } });

const sequences: readonly Sequence[] = [
  {
    kind: "text",
    reply: text({ deltas: ["Hel", "lo"] }),
    events: [...begun, ...message(0, ["Hel", "lo"]), "completed completed"],
  },
  {
    kind: "refusal",
    reply: refusal("I cannot."),
    events: [
      ...begun,
      "output_item.added 0 message in_progress",
      "content_part.added 0/0 refusal",
      "refusal.delta 0/0 'The model refused to answer.'",
      "refusal.done 0/0 'The model refused to answer.'",
      "content_part.done 0/0 refusal",
      "output_item.done 0 message completed",
      "completed completed",
    ],
  },
  {
    kind: "reasoning and text",
    reply: reply(reasoning({ summary: ["Why so", "Thus"], content: ["Raw"] }), text("Done.")),
    events: [
      ...begun,
      "output_item.added 0 reasoning",
      "reasoning_summary_part.added 0/0 summary_text",
      "reasoning_summary_text.delta 0/0 'Why'",
      "reasoning_summary_text.delta 0/0 ' so'",
      "reasoning_summary_text.done 0/0 'Why so'",
      "reasoning_summary_part.done 0/0 summary_text",
      "reasoning_summary_part.added 0/1 summary_text",
      "reasoning_summary_text.delta 0/1 'Thus'",
      "reasoning_summary_text.done 0/1 'Thus'",
      "reasoning_summary_part.done 0/1 summary_text",
      "content_part.added 0/0 reasoning_text",
      "reasoning_text.delta 0/0 'Raw'",
      "reasoning_text.done 0/0 'Raw'",
      "content_part.done 0/0 reasoning_text",
      "output_item.done 0 reasoning",
      ...message(1, ["Done."]),
      "completed completed",
    ],
  },
  {
    kind: "function call",
    reply: callOf("Rome"),
    body: { tools: [weather] },
    events: [...begun, ...call(0, '{"city":"Rome"}'), "completed completed"],
  },
  {
    kind: "parallel function calls",
    reply: reply(callOf("Rome"), callOf("Oslo")),
    body: { tools: [weather] },
    events: [...begun, ...call(0, '{"city":"Rome"}'), ...call(1, '{"city":"Oslo"}'), "completed completed"],
  },
  {
    kind: "web search with citations",
    reply: reply(
      webSearchCall({ query: "news" }),
      text({
        deltas: ["Much ", "news."],
        annotations: [{ url: "https://news.example/1", title: "News", startIndex: 0, endIndex: 4 }],
      }),
    ),
    body: { tools: [{ type: "web_search" }] },
    events: [
      ...begun,
      "output_item.added 0 web_search_call in_progress",
      "web_search_call.in_progress 0",
      "web_search_call.searching 0",
      "web_search_call.completed 0",
      "output_item.done 0 web_search_call completed",
      ...message(1, ["Much ", "news."], ...(lacks("citations") === null ? ["https://news.example/1"] : [])),
      "completed completed",
    ],
  },
  {
    kind: "structured output",
    reply: text('{"a":1}'),
    body: {
      text: {
        format: {
          type: "json_schema",
          name: "answer",
          strict: true,
          schema: {
            type: "object",
            properties: { a: { type: "number" } },
            required: ["a"],
            additionalProperties: false,
          },
        },
      },
    },
    events: [...begun, ...message(0, ['{"a":1}']), "completed completed"],
  },
  {
    kind: "incomplete",
    reply: incomplete({ reason: "max_output_tokens", text: "half an" }),
    events: [...begun, ...message(0, ["half", " an"]), "incomplete incomplete max_output_tokens"],
  },
  {
    kind: "failed after text",
    reply: cutConnection({ afterDeltas: 2 }),
    events: [
      ...begun,
      ...message(0, ["word1 ", "word2 "]).slice(0, 4),
      "failed failed upstream_connection_failed",
    ],
  },
  {
    kind: "background",
    reply: text("Done."),
    body: { background: true },
    events: [
      "created queued",
      "queued queued",
      begun[1] ?? "",
      ...message(0, ["Done."]),
      "completed completed",
    ],
  },
];

async function record({ url }: ServiceHarness, body: object): Promise<readonly SseEvent[]> {
  const answer = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: "hello", stream: true, ...body }),
  });
  return parseSse(await answer.text()).events;
}

/** What tells an event from its neighbours: its place, and what it says. */
function describe({ event, data }: SseEvent): string {
  const { response, item, part, annotation } = data as Record<string, Record<string, unknown> | undefined>;
  const details = response?.incomplete_details as { readonly reason?: string } | null | undefined;
  const error = response?.error as { readonly code?: string } | null | undefined;
  const place = [data.output_index, data.content_index ?? data.summary_index];
  const said = data.delta ?? data.text ?? data.refusal ?? data.arguments;
  return [
    event.replace(/^response\./, ""),
    place.filter((index) => index !== undefined).join("/"),
    item?.type ?? part?.type ?? annotation?.url,
    item?.status ?? response?.status,
    details?.reason ?? error?.code,
    said === undefined ? undefined : `'${said}'`,
  ]
    .filter((word) => word !== undefined && word !== "")
    .join(" ");
}

t.test("each kind of output has its events, in their order", async (t) => {
  const harness = await startServiceHarness(t, { login: "provider" });
  for (const { kind, reply: scripted, body = {}, events } of sequences) {
    harness.backend.setDefaultReply(scripted);
    const recorded = await record(harness, body);
    t.same(recorded.map(describe), events, kind);
    t.same(
      recorded.map(({ data }) => data.sequence_number),
      recorded.map((_, index) => index),
      `${kind}: numbered from 0 without a gap`,
    );
    t.same(
      recorded.filter(({ event, data }) => event !== data.type),
      [],
      `${kind}: named by their type`,
    );
  }
});
