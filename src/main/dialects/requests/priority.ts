/** `priority`, which is ours: whether somebody waits for the answer, or it belongs to a batch that lets others go first. */
import { z } from "zod";
import { turnPriorities } from "../../../workers/contract/turn-priority.js";

export const priority = z.enum(turnPriorities);
