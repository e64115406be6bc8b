/** For process supervisors, which have no token: a word and a status, nothing else. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { addRoute } from "../method-routes.js";
import type { RouteContext } from "../server-options.js";

const traits = { public: true, quiet: true };

export function addProbeRoutes(app: FastifyInstance, { runtime }: RouteContext): void {
  addRoute(app, "/livez", { GET: (_request, reply) => sendWord(reply, 200, "ok") }, traits);
  const answerReadiness = (reply: FastifyReply) => {
    const { ready } = runtime.health().readiness;
    sendWord(reply, ready ? 200 : 503, ready ? "ready" : "not ready");
  };
  addRoute(app, "/readyz", { GET: (_request, reply) => answerReadiness(reply) }, traits);
}

function sendWord(reply: FastifyReply, status: number, word: string): void {
  reply.code(status).type("text/plain; charset=utf-8").send(`${word}\n`);
}
