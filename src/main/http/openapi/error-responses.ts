/** The error answers of one operation, by status, from the one table of codes. */
import { CodexNativeApiError, type CodexNativeApiErrorCode, errorCodes, errorKinds } from "../../errors.js";
import { describeError } from "../error-reply.js";
import { type ErrorCodes, strayErrors } from "./error-sets.js";
import { errorSummaries } from "./error-summaries.js";
import { type Answer, type Example, type Reference, schemaRef } from "./types.js";

const headerRef = (name: string): Reference => ({ $ref: `#/components/headers/${name}` });

export const requestIdHeader = { "x-request-id": headerRef("RequestId") } as const;

export function describeErrorAnswers(codes: ErrorCodes): Readonly<Record<string, Answer>> {
  const byStatus = new Map<number, CodexNativeApiErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = errorKinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, held]) => [String(status), describeAnswer(held)]));
}

function describeAnswer(codes: ErrorCodes): Answer {
  const kinds = codes.map((code) => errorKinds[code]);
  // `usage_limit_reached` is not worth a retry, and still tells when the window resets.
  const mayWait = kinds.some(({ retryable }) => retryable) || codes.includes("usage_limit_reached");
  return {
    description: codes.map((code) => `\`${code}\`: ${errorSummaries[code]}`).join("\n\n"),
    headers: {
      ...requestIdHeader,
      ...(kinds.some(({ retryable }) => !retryable) && { "x-should-retry": headerRef("ShouldRetry") }),
      ...(mayWait && { "retry-after": headerRef("RetryAfter") }),
      ...(codes.includes("invalid_auth_token") && { "www-authenticate": headerRef("Challenge") }),
    },
    content: {
      "application/json": {
        schema: schemaRef("Error"),
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

/** One for each code, which the answers refer to. */
export function describeErrorExamples(): Readonly<Record<string, Example>> {
  return Object.fromEntries(
    errorCodes
      .filter((code) => !strayErrors.includes(code))
      .map((code) => {
        const error = new CodexNativeApiError(code, errorSummaries[code]);
        return [code, { summary: errorSummaries[code], value: describeError(error) }];
      }),
  );
}
