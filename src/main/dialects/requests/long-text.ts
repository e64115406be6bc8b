import { z } from "zod";
import { requestLimits } from "./request-limits.js";

/** Text of a prompt, an output or a set of arguments. */
export const longText = z.string().max(requestLimits.maxTextChars);
