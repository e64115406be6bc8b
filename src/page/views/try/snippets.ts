/** The programs that send what the page sent. Whatever the texts in it are, they stay texts. */
import type { SentRequest } from "./try-request.js";

export const snippetKinds = ["curl", "node", "python"] as const;
export type SnippetKind = (typeof snippetKinds)[number];

export interface SnippetSource extends Pick<SentRequest, "path" | "body" | "isStreamed"> {
  /** Of the service, such as `http://127.0.0.1:43182`. */
  readonly origin: string;
  /** The service wants a token. */
  readonly hasToken: boolean;
}

/** Where the snippets read the token. Its value is never in one. */
export const tokenVariable = "CODEX_NATIVE_API_AUTH_TOKEN";

export function writeSnippet(kind: SnippetKind, source: SnippetSource): string {
  switch (kind) {
    case "curl":
      return writeCurl(source);
    case "node":
      return writeNode(source);
    case "python":
      return writePython(source);
  }
}

/** Linux takes no argument of more than 128 KiB. */
const longestArgument = 100_000;

function writeCurl({ origin, path, body, isStreamed, hasToken }: SnippetSource): string {
  const head = [
    `curl -sS${isStreamed ? "N" : ""} ${quoteForShell(origin + path)}`,
    ...(hasToken ? [`-H "Authorization: Bearer $${tokenVariable}"`] : []),
    "-H 'Content-Type: application/json'",
  ];
  const isLong = new TextEncoder().encode(body).length > longestArgument;
  // No line of JSON over several lines is the mark's.
  const data = isLong
    ? `--data-binary @- <<'END_OF_BODY'\n${body}\nEND_OF_BODY`
    : `--data-raw ${quoteForShell(body)}`;
  return [...head, data].join(" \\\n  ");
}

/** Between single quotes a shell reads nothing but the next single quote, not even history marks. */
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function writeNode({ origin, path, body, isStreamed, hasToken }: SnippetSource): string {
  const headers = [
    ...(hasToken ? [`    authorization: \`Bearer \${process.env.${tokenVariable}}\`,`] : []),
    `    "content-type": "application/json",`,
  ];
  // As a key of a literal it would set the prototype.
  const literal = body.replace(/^( *)"__proto__": /gm, '$1["__proto__"]: ');
  return [
    "// node try.mjs",
    `const body = ${literal};`,
    "",
    `const answer = await fetch(${JSON.stringify(origin + path)}, {`,
    '  method: "POST",',
    "  headers: {",
    ...headers,
    "  },",
    "  body: JSON.stringify(body),",
    "});",
    ...(isStreamed
      ? ["for await (const bytes of answer.body) process.stdout.write(bytes);"]
      : ["console.log(await answer.text());"]),
    "",
  ].join("\n");
}

function writePython({ origin, path, body, isStreamed, hasToken }: SnippetSource): string {
  const headers = [
    ...(hasToken ? [`        "Authorization": "Bearer " + os.environ["${tokenVariable}"],`] : []),
    `        "Content-Type": "application/json",`,
  ];
  return [
    "# python3 try.py",
    "import json",
    ...(hasToken ? ["import os"] : []),
    "import sys",
    "import urllib.request",
    "",
    `body = ${pythonLiteral(body)}`,
    "",
    "request = urllib.request.Request(",
    `    ${JSON.stringify(origin + path)},`,
    "    data=json.dumps(body).encode(),",
    "    headers={",
    ...headers,
    "    },",
    ")",
    "with urllib.request.urlopen(request) as answer:",
    ...(isStreamed
      ? ["    for line in answer:", "        sys.stdout.buffer.write(line)", "        sys.stdout.flush()"]
      : ["    sys.stdout.buffer.write(answer.read())"]),
    "",
  ].join("\n");
}

const pythonWords: Readonly<Record<string, string>> = { true: "True", false: "False", null: "None" };

/** Python reads JSON's texts, numbers, lists and objects as its own. The three words stand at the ends of lines, outside of texts. */
function pythonLiteral(body: string): string {
  return body.replace(
    /^( *(?:"(?:[^"\\]|\\.)*": )?)(true|false|null)(,?)$/gm,
    (_line, before: string, word: string, after: string) => `${before}${pythonWords[word]}${after}`,
  );
}
