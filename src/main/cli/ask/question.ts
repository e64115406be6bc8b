/** The text of the question: the argument, or standard input. */
import type { CliContext } from "../cli-context.js";

export type QuestionRead =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string };

export async function readQuestion(
  { stdin }: CliContext,
  argument: string | undefined,
  maxBytes: number,
): Promise<QuestionRead> {
  if (argument !== undefined && argument !== "-") return checkText(argument);
  if (argument === undefined && stdin.isTTY === true)
    return refuse('there is no question; give it as an argument, or pipe it in: ask "What is 1 + 1?"');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.byteLength;
    if (bytes > maxBytes)
      return refuse(
        `standard input holds more than ${maxBytes} bytes; raise --max-body-bytes if it is meant`,
      );
    chunks.push(buffer);
  }
  try {
    return checkText(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return refuse("standard input is not UTF-8 text");
  }
}

function checkText(text: string): QuestionRead {
  return text.trim() === "" ? refuse("the question is empty") : { ok: true, text };
}

function refuse(problem: string): QuestionRead {
  return { ok: false, problem };
}
