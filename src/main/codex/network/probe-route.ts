/** Tries the way to the model backend as Codex takes it, without a request. */
import { createSecureContext } from "node:tls";
import { openRoute, type Route, type RouteLimits } from "../../outbound/open-route.js";
import type { RouteFault } from "../../outbound/route-fault.js";
import type { TrustedRoots } from "../../outbound/trusted-roots.js";

/** Null if the way is open. Never rejects. */
export async function probeRoute(
  { target, proxy, roots }: Pick<Route, "target" | "proxy"> & { readonly roots: TrustedRoots },
  limits: RouteLimits,
): Promise<RouteFault | null> {
  const { certificates, fault: file } = roots;
  if (file !== null) return { kind: "certificate_file", file };
  const trust = {
    context: certificates === null ? null : createSecureContext({ ca: [...certificates] }),
    // Nothing is sent, so that what cannot be judged does no harm.
    isJudge: certificates !== null,
  };
  const { fault, socket } = await openRoute({ target, proxy, trust }, limits);
  socket?.destroy();
  return fault;
}
