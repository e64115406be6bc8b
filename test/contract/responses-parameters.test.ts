/** Every parameter, item and tool that the official client knows has an answer here, and a row in the documentation. */
import { readFileSync } from "node:fs";
import t from "tap";
import ts from "typescript";
import { toResponsesTurn } from "../../src/main/dialects/responses/decode.js";
import { parameters } from "../../src/main/dialects/responses/parameters.js";
import { parseResponsesRequest } from "../../src/main/dialects/responses/request-schema.js";
import { CodexNativeApiError } from "../../src/main/errors.js";

const typesPath = "node_modules/openai/resources/responses/responses.d.ts";
const official = ts.createSourceFile(
  typesPath,
  readFileSync(typesPath, "utf8"),
  ts.ScriptTarget.Latest,
  true,
);
const documented = readFileSync("docs/http-api.md", "utf8");

function findDeclarations(name: string): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    const isNamed = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    if (isNamed && node.name.text === name) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(official);
  return found;
}

function namesOfFields(interfaceName: string): readonly string[] {
  return findDeclarations(interfaceName).flatMap((node) =>
    ts.isInterfaceDeclaration(node) ? node.members.map((member) => member.name?.getText() ?? "") : [],
  );
}

/** The values of `type` over all members of a union of interfaces. */
function typesOfUnion(aliasName: string): readonly string[] {
  const types = new Set<string>();
  for (const alias of findDeclarations(aliasName)) {
    if (!ts.isTypeAliasDeclaration(alias) || !ts.isUnionTypeNode(alias.type)) continue;
    for (const member of alias.type.types) {
      const name = member.getText().split(".").at(-1) ?? "";
      for (const text of typeLiteralsOf(name)) types.add(text);
    }
  }
  return [...types];
}

function typeLiteralsOf(interfaceName: string): readonly string[] {
  return findDeclarations(interfaceName).flatMap((node) => {
    if (!ts.isInterfaceDeclaration(node)) return [];
    const type = node.members.find((member) => member.name?.getText() === "type");
    return [...(type?.getText() ?? "").matchAll(/'([a-z_0-9]+)'/g)].map((match) => match[1] ?? "");
  });
}

function outcomeOf(body: object): "taken" | "unsupported" | "invalid" {
  try {
    toResponsesTurn(parseResponsesRequest({ input: "hi", ...body }), "ignore");
    return "taken";
  } catch (error) {
    if (!(error instanceof CodexNativeApiError)) throw error;
    return error.code === "unsupported_responses_feature" ? "unsupported" : "invalid";
  }
}

t.test("each parameter of the official client is mapped, ignored or refused", async (t) => {
  const names = namesOfFields("ResponseCreateParamsBase");
  t.ok(names.length > 25, "the types are read");
  for (const name of names) t.ok(name in parameters, name);
});

t.test("a parameter that is ignored is listed, and one that is refused is refused", async (t) => {
  const samples: Readonly<Record<string, unknown>> = {
    context_management: [{ type: "compaction" }],
    max_output_tokens: 10,
    max_tool_calls: 1,
    frequency_penalty: 0.5,
    presence_penalty: 0.5,
    temperature: 0.5,
    top_logprobs: 1,
    top_p: 0.5,
  };
  for (const [name, { support }] of Object.entries(parameters)) {
    const body = { input: "hi", [name]: samples[name] ?? "x" };
    if (support === "refused") t.equal(outcomeOf(body), "unsupported", name);
    if (support === "ignored") {
      const turn = toResponsesTurn(parseResponsesRequest(body), "ignore");
      t.strictSame(turn.ignoredParameters, [name]);
    }
  }
});

t.test("each type of item of the official client is taken or refused by name", async (t) => {
  const types = typesOfUnion("ResponseInputItem");
  t.ok(types.length > 20, "the types are read");
  for (const type of types) {
    const outcome = outcomeOf({ input: [{ type }] });
    // Those that are taken are taken with their fields only.
    const isRow = new RegExp(`\`${type}\`[^\n|]*\\| (taken|refused) \\|`).exec(documented)?.[1];
    t.equal(isRow, outcome === "unsupported" ? "refused" : "taken", type);
  }
});

t.test("each type of tool of the official client is mapped or refused by name", async (t) => {
  const types = typesOfUnion("Tool");
  t.ok(types.length > 12, "the types are read");
  for (const type of types) {
    const outcome = outcomeOf({ tools: [{ type, name: "f", tools: [] }] });
    const row = new RegExp(`^\\|[^|\n]*\`${type}\`[^|\n]*\\| ([^|\n]*) \\|$`, "m").exec(documented)?.[1];
    t.equal(outcome, row === "refused" ? "unsupported" : "taken", type);
  }
});

t.test("each parameter has its row in the documentation, with what becomes of it", async (t) => {
  const names = namesOfFields("ResponseCreateParamsBase");
  for (const [name, { support }] of Object.entries(parameters)) {
    if (name === "n" || name === "modalities") continue;
    // Those of chat completions share a row.
    if (support === "refused" && !names.includes(name)) continue;
    t.match(documented, new RegExp(`\\| \`${name}\`[^\n|]*\\| ${support} \\|`), name);
  }
});
