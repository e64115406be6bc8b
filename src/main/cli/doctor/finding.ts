/** One line of the doctor's report. */
export type FindingStatus = "ok" | "warn" | "fail";

export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  /** The state found, in one sentence. */
  readonly found: string;
  /** What to do; null where nothing needs doing. */
  readonly advice: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, status: "ok", found, advice: null };
}

function findingOf(status: FindingStatus) {
  return (check: string, found: string, advice: string): Finding => ({ check, status, found, advice });
}

export const warn = findingOf("warn");

export const fail = findingOf("fail");

/** The worst status of all. */
export function judge(findings: readonly Finding[]): FindingStatus {
  const statuses = findings.map(({ status }) => status);
  return statuses.includes("fail") ? "fail" : statuses.includes("warn") ? "warn" : "ok";
}
