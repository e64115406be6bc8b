/** What a program does with LangChain's ChatOpenAI, over both of its APIs. */
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, customTool } from "@langchain/openai";
import { z } from "zod";
import { expect, report } from "../capabilities.js";

const hello = "Hello from the model.";
const models = [true, false].map(
  (useResponsesApi) => new ChatOpenAI({ model: process.env.MODEL ?? "", useResponsesApi, maxRetries: 0 }),
);

await report("text", async () => {
  for (const model of models) {
    const { text } = await model.invoke("Say hello.");
    expect(text === hello, text);
  }
});

await report("stream", async () => {
  for (const model of models) {
    const deltas: string[] = [];
    for await (const { text } of await model.stream("Say hello.")) deltas.push(text);
    expect(deltas.join("") === hello && deltas.length > 1, deltas);
  }
});

await report("functions", async () => {
  const schema = z.object({ city: z.string() });
  const weather = tool(async ({ city }: { city: string }) => `clear in ${city}`, { name: "weather", schema });
  for (const model of models) {
    const bound = model.bindTools([weather]);
    const asked = new HumanMessage("Ask the weather.");
    const called = await bound.invoke([asked]);
    const [call] = called.tool_calls ?? [];
    expect(call?.name === "weather", called);
    if (call === undefined) continue;
    const output: unknown = await weather.invoke({ ...call, type: "tool_call" });
    expect(output instanceof ToolMessage, output);
    const { text } = await bound.invoke([asked, called, output as ToolMessage]);
    expect(text.includes("clear in Rome"), text);
  }
});

await report("custom tools", async () => {
  const inputs: unknown[] = [];
  const keep = (input: unknown) => {
    inputs.push(input);
    return "kept";
  };
  const note = customTool(keep, { name: "note", description: "Notes.", format: { type: "text" } });
  const [model] = models;
  const bound = model?.bindTools([note]);
  const asked = new HumanMessage("Take a note.");
  const called = await bound?.invoke([asked]);
  const [call] = called?.tool_calls ?? [];
  expect(call?.name === "note", called);
  if (called === undefined || call === undefined) return;
  // Without this mark LangChain sends the output of a function, which OpenAI refuses as well.
  const content = String(await note.invoke(String(call.args.input)));
  const output = new ToolMessage({
    content,
    tool_call_id: call.id ?? "",
    additional_kwargs: { customTool: true },
  });
  const end = await bound?.invoke([asked, called, output]);
  expect(end?.text.includes("kept") === true && JSON.stringify(inputs).includes("second line"), {
    end: end?.text,
    inputs,
  });
});

await report("structured output", async () => {
  const person = z.object({ name: z.string(), age: z.number() });
  for (const model of models) {
    const answer = await model.withStructuredOutput(person, { name: "person" }).invoke("Who is it?");
    expect(answer.age === 36, answer);
  }
});

await report("chain / resume", async () => {
  const [model] = models;
  const first = await model?.invoke("Say hello.");
  const previous_response_id = String(first?.response_metadata.id);
  const second = await model?.invoke("What was said?", { previous_response_id });
  expect(second?.text.includes("Say hello.") === true, second?.text);
});

await report("abort", async () => {
  for (const model of models) {
    const abort = new AbortController();
    let pieces = 0;
    const read = async () => {
      for await (const { text } of await model.stream("Never end.", { signal: abort.signal })) {
        if (text === "") continue;
        pieces++;
        abort.abort();
      }
    };
    // Some versions throw what aborts them, others just end.
    await read().catch(() => undefined);
    expect(pieces > 0, pieces);
  }
});
