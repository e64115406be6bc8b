/** Every parameter, role, part and tool that the official client knows has an answer here, and a row in the documentation. */
import { readFileSync } from "node:fs";
import t from "tap";
import ts from "typescript";
import { parameters } from "../../src/main/dialects/chat-completions/parameters.js";
import { CodexNativeApiError } from "../../src/main/errors.js";
import { chatTurnOf } from "../support/chat-driver.js";

const typesPath = "node_modules/openai/resources/chat/completions/completions.d.ts";
const official = ts.createSourceFile(
  typesPath,
  readFileSync(typesPath, "utf8"),
  ts.ScriptTarget.Latest,
  true,
);
const documented =
  readFileSync("docs/http-api.md", "utf8").split("\n## `POST /v1/chat/completions`\n")[1] ?? "";

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

/** The values of a field of literals over all members of a union of interfaces. */
function literalsOfUnion(aliasName: string, field: string): readonly string[] {
  const values = new Set<string>();
  for (const alias of findDeclarations(aliasName)) {
    if (!ts.isTypeAliasDeclaration(alias) || !ts.isUnionTypeNode(alias.type)) continue;
    for (const member of alias.type.types) {
      for (const node of findDeclarations(member.getText().split(".").at(-1) ?? "")) {
        if (!ts.isInterfaceDeclaration(node)) continue;
        const literal = node.members.find((entry) => entry.name?.getText() === field);
        for (const match of (literal?.getText() ?? "").matchAll(/'([a-z_]+)'/g)) values.add(match[1] ?? "");
      }
    }
  }
  return [...values];
}

function outcomeOf(body: object): "taken" | "unsupported" | "invalid" {
  try {
    chatTurnOf(body);
    return "taken";
  } catch (error) {
    if (!(error instanceof CodexNativeApiError)) throw error;
    return error.code === "unsupported_chat_completions_feature" ? "unsupported" : "invalid";
  }
}

t.test("each parameter of the official client is mapped, ignored or refused", async (t) => {
  const names = namesOfFields("ChatCompletionCreateParamsBase");
  t.ok(names.length > 30, "the types are read");
  const ours = ["priority", "reasoning"];
  t.strictSame(
    names.filter((name) => !(name in parameters)),
    [],
  );
  const others = Object.entries(parameters).filter(([name]) => !names.includes(name));
  const taken = others.filter(([, { support }]) => support !== "refused").map(([name]) => name);
  t.strictSame(taken.sort(), ours, "what OpenAI does not have is refused, but for ours");
});

t.test("a parameter that is ignored is listed, and one that is refused is refused", async (t) => {
  for (const [name, { support }] of Object.entries(parameters)) {
    if (support === "refused") t.equal(outcomeOf({ [name]: "x" }), "unsupported", name);
    if (support === "ignored") t.strictSame(chatTurnOf({ [name]: "x" }).ignoredParameters, [name]);
  }
});

t.test("each parameter has its row in the documentation, with what becomes of it", async (t) => {
  const names = namesOfFields("ChatCompletionCreateParamsBase");
  for (const [name, { support }] of Object.entries(parameters)) {
    // Those of the other API share a row.
    if (support === "refused" && !names.includes(name)) continue;
    t.match(documented, new RegExp(`\\| \`${name}\`[^\n|]*\\| ${support} \\|`), name);
  }
});

t.test("each role of the official client is taken or refused by name", async (t) => {
  const roles = literalsOfUnion("ChatCompletionMessageParam", "role");
  t.strictSame([...roles].sort(), ["assistant", "developer", "function", "system", "tool", "user"]);
  for (const role of roles) {
    const outcome = outcomeOf({ messages: [{ role, content: "x", tool_call_id: "c1" }] });
    const expected = role === "function" ? "unsupported" : role === "tool" ? "invalid" : "taken";
    t.equal(outcome, expected, role);
  }
});

t.test("each type of part of the official client is taken or refused by name", async (t) => {
  const types = literalsOfUnion("ChatCompletionContentPart", "type");
  t.ok(types.length > 3, "the types are read");
  for (const type of types) {
    const outcome = outcomeOf({ messages: [{ role: "user", content: [{ type }] }] });
    t.equal(outcome, type === "input_audio" ? "unsupported" : "invalid", type);
    t.ok(documented.includes(`\`${type}\``), type);
  }
});

t.test("each type of tool of the official client is taken or refused by name", async (t) => {
  const types = literalsOfUnion("ChatCompletionTool", "type");
  t.strictSame([...types].sort(), ["custom", "function"]);
  t.equal(outcomeOf({ tools: [{ type: "custom", custom: { name: "f" } }] }), "taken");
  t.equal(outcomeOf({ tools: [{ type: "function", function: { name: "f" } }] }), "taken");
});
