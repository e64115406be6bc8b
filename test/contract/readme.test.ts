/** README.md, and README.zh-CN.md, which says the same. */
import { readFileSync } from "node:fs";
import t from "tap";

const english = readFileSync("README.md", "utf8");
const chinese = readFileSync("README.zh-CN.md", "utf8");

/** The levels of the headings, in order: their texts are translated. */
function outline(page: string): readonly number[] {
  return [...withoutBlocks(page).matchAll(/^(#+) /gm)].map(([, marks = ""]) => marks.length);
}

function withoutBlocks(page: string): string {
  return page.replace(/^```.*?^```$/gms, "");
}

/** Without their comments, which are translated. */
function listCodeBlocks(page: string): readonly string[] {
  return [...page.matchAll(/^```.*?^```$/gms)].map(([block]) => block.replace(/ +# .*$/gm, ""));
}

/** Commands, routes and names in the text, each once. */
function listCodeWords(page: string): readonly string[] {
  return [...new Set([...withoutBlocks(page).matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word))].sort();
}

function listLinks(page: string): readonly string[] {
  const targets = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => !target.startsWith("README")).sort();
}

/** Figures with a unit. */
function listFigures(page: string): readonly string[] {
  return [...page.matchAll(/\d[\d.]* (?=ms|bytes|字节|times|倍)/g)].map(([figure]) => figure);
}

t.test("both pages lead to each other", async (t) => {
  t.match(english, "[中文](README.zh-CN.md)");
  t.match(chinese, "[English](README.md)");
});

t.test("both pages have the same headings, commands, names, figures and links", async (t) => {
  t.strictSame(outline(chinese), outline(english));
  t.strictSame(listCodeBlocks(chinese), listCodeBlocks(english));
  t.strictSame(listCodeWords(chinese), listCodeWords(english));
  t.strictSame(listLinks(chinese), listLinks(english));
  t.strictSame(listFigures(chinese), listFigures(english));
});

t.test("both show the moving picture, which is small enough to send and long enough to follow", async (t) => {
  const path = "docs/assets/page.png";
  for (const page of [english, chinese]) t.match(page, new RegExp(`^!\\[.+\\]\\(${path}\\)$`, "m"));
  const picture = readFileSync(path);
  t.ok(picture.length <= 1_000_000, `${picture.length} bytes`);
  let [durationMs, frames] = [0, 0];
  for (let at = 8; at < picture.length; at += picture.readUInt32BE(at) + 12) {
    if (picture.toString("latin1", at + 4, at + 8) !== "fcTL") continue;
    const [count, unit] = [picture.readUInt16BE(at + 28), picture.readUInt16BE(at + 30)];
    durationMs += (count * 1_000) / unit;
    frames++;
  }
  t.ok(frames >= 10 && durationMs >= 6_000, `${frames} frames, ${durationMs} ms`);
});

/** The median in a row of a stored result, such as `40.3 ms`; null where there is no such row. */
function readMedian(file: string, section: string, row: string): string | null {
  const part = readFileSync(`bench/results/${file}`, "utf8").split(`\n## ${section}`)[1]?.split("\n## ")[0];
  const line = part?.split("\n").find((candidate) => candidate.startsWith(`| ${row} `));
  return line?.split("|")[2]?.trim() ?? null;
}

t.test("every figure against the other ways is one of a stored result", async (t) => {
  const results = "v0.1.0.md";
  const turns = "Fresh turns, one at a time: this service against what a user would pick instead";
  for (const [shown, contestant] of [
    ["`ai-sdk-provider-codex-cli`, on the app-server", "ai-sdk-provider-codex-cli, app-server"],
    ["`ai-sdk-provider-codex-cli`, on `codex exec`", "ai-sdk-provider-codex-cli, exec"],
    ["`ai-sdk-provider-codex-app-server`", "ai-sdk-provider-codex-app-server"],
    ["`codex exec`", "codex exec"],
    ["`@openai/codex-sdk`", "@openai/codex-sdk"],
  ] as const) {
    const [, median, ratio] = cellsOf(shown);
    t.equal(median, readMedian(results, turns, `${contestant}: p50`), shown);
    t.match(
      ratio,
      `${parseFloat(readMedian(results, turns, `${contestant}: p50 vs. the service's`) ?? "")} times`,
    );
  }
  t.equal(cellsOf("**Codex Native API**")[1], `**${readMedian(results, turns, "service, JSON: p50")}**`);
  const cost = "What the model sees for a side task of one word";
  t.strictSame(cellsOf("sent to the backend for a question of one word").slice(1), [
    readMedian(results, cost, "service, JSON: whole request"),
    readMedian(results, cost, "codex exec: whole request"),
  ]);
  const distant = "The first word at a round trip of 60 ms";
  t.strictSame(cellsOf("the first word, at a round trip of 60 ms to the backend").slice(1), [
    readMedian("network.md", distant, "text"),
    `${readMedian("network.md", distant, "codex exec, whole turn")} (the whole turn)`,
  ]);
});

/** The cells of the row that begins with that one. */
function cellsOf(first: string): readonly string[] {
  const rows = english.split("\n").map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
  return rows.find((cells) => cells[0] === first && /\d/.test(cells.join())) ?? [];
}
