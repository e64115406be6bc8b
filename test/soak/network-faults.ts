/**
 * What goes wrong between Codex and the model's routes, switched while turns run. Names that are none and certificates that are not
 * trusted are of a configuration, and held by `test/faults/bad-networks.test.ts`.
 */
import type { FaultMoment, NetworkFault } from "../support/bad-network.js";
import type { BadCaller } from "./bad-callers.js";
import { askInTurn, untilServed } from "./one-shot-callers.js";
import { cutBy, type Phase } from "./phase.js";
import { pause, type ServiceProcess } from "./service-process.js";

const always = Number.POSITIVE_INFINITY;
const atAccept: FaultMoment = { at: "accept" };
const served = [/^answered$/, /^served again$/];
const cutUpstream = /^cut: upstream_connection_failed, retry$/;

export function listNetworkPhases(service: ServiceProcess): readonly Phase[] {
  const lawful = [cutBy("upstream_connection_failed")];
  return [
    {
      name: "network: connections cut and reset",
      seconds: 14,
      maxWaitMs: 30_000,
      run: cutAndReset(service),
      lawful,
      outcomes: [...served, cutUpstream, /^struck by (cut|reset)$/],
    },
    {
      name: "network: a black hole that ends",
      seconds: 16,
      maxWaitMs: 40_000,
      run: breakFor(service, "black_hole", 8_000),
      // Nothing is lost in it.
      outcomes: served,
    },
    {
      name: "network: throttled",
      seconds: 14,
      maxWaitMs: 30_000,
      run: breakFor(service, "throttle", 10_000),
      outcomes: served,
    },
    {
      name: "network: WebSockets refused",
      seconds: 14,
      maxWaitMs: 40_000,
      run: refuseWebSockets(service),
      lawful,
      outcomes: [...served, cutUpstream],
    },
    {
      name: "network: down, or garbled",
      seconds: 36,
      maxWaitMs: 100_000,
      run: goDown(service),
      lawful: [
        ...lawful,
        { shown: "given up, upstream_connection_failed", code: "upstream_connection_failed", of: "any" },
      ],
      outcomes: [
        ...served,
        cutUpstream,
        /^502 upstream_connection_failed, retry$/,
        /^down by (reset|garble)$/,
      ],
    },
  ];
}

/** Every connection that stands, each two seconds. */
function cutAndReset({ network }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    for (let strike = 0; !signal.aborted; strike += 1) {
      const fault = strike % 2 === 0 ? "cut" : "reset";
      network.strike(fault);
      context.count(`struck by ${fault}`);
      await pause(2_000);
    }
    network.lift();
    await callers;
    await untilServed(context, signal);
  };
}

/** Connections that stand, and new ones, until the fault is lifted. */
function breakFor({ network }: ServiceProcess, fault: NetworkFault, ms: number): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    try {
      network.strike(fault);
      network.arm(fault, atAccept, always);
      await pause(ms, signal);
    } finally {
      network.lift();
    }
    await callers;
    await untilServed(context, signal);
  };
}

function refuseWebSockets({ network, backend }: ServiceProcess): BadCaller {
  return async (context, signal) => {
    const callers = askInTurn(context, signal);
    try {
      backend.refuseWebSockets(426);
      network.strike("cut");
      network.lift();
      await pause(9_000, signal);
    } finally {
      backend.refuseWebSockets(null);
    }
    await callers;
    await untilServed(context, signal);
  };
}

/** For longer than Codex tries again, so that turns are given up. Each time in another way. */
function goDown({ network }: ServiceProcess): BadCaller {
  const ways = ["reset", "garble"] as const;
  let times = 0;
  return async (context, signal) => {
    const way = ways[times++ % ways.length] ?? "reset";
    context.count(`down by ${way}`);
    const callers = askInTurn(context, signal);
    try {
      network.strike(way);
      network.arm(way, atAccept, always);
      await pause(28_000, signal);
    } finally {
      network.lift();
    }
    await callers;
    await untilServed(context, signal);
  };
}
