/** `priority`, which is ours: whether somebody waits for the answer, or it belongs to a batch that lets others go first. */
import { z } from "zod";

export const priority = z.enum(["interactive", "background"]);
