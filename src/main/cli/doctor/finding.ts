/** One line of the doctor's report. */
export type FindingStatus = "ok" | "warn" | "fail";

export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  /** What was found, in one sentence. */
  readonly found: string;
  /** What to do; null where nothing needs doing. */
  readonly advice: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, status: "ok", found, advice: null };
}

export function warn(check: string, found: string, advice: string): Finding {
  return { check, status: "warn", found, advice };
}

export function fail(check: string, found: string, advice: string): Finding {
  return { check, status: "fail", found, advice };
}

/** The worst of all. */
export function judge(findings: readonly Finding[]): FindingStatus {
  if (findings.some(({ status }) => status === "fail")) return "fail";
  return findings.some(({ status }) => status === "warn") ? "warn" : "ok";
}
