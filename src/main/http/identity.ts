import type { NativeRuntimeHealth, RequestTarget } from "../runtime/types.js";

/** Who answers where no turn ran: `request_target` without a worker. */
export function identityOf(
  health: NativeRuntimeHealth,
): Pick<RequestTarget, "providerProfileId" | "providerKind" | "accountId" | "managedTexts"> {
  return {
    providerProfileId: health.providerProfileId,
    providerKind: health.providerKind,
    accountId: health.account?.id ?? null,
    managedTexts: health.managedTexts ?? [],
  };
}
