import t from "tap";
import { ThreadRotation } from "../../../src/main/runtime/thread-rotation.js";
import { GenerationUse } from "../../../src/main/runtime/turn-attempts.js";

function createRotation(applies = true) {
  const rotations: { readonly reason: string; readonly settle: (error?: Error) => void }[] = [];
  const failures: unknown[] = [];
  const rotation = new ThreadRotation({
    maxThreads: 3,
    applies: () => applies,
    rotate: (reason) =>
      new Promise((resolve, reject) => {
        rotations.push({ reason, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    onFailed: (error) => failures.push(error),
  });
  const note = (count: number, generation: number) => {
    for (let thread = 0; thread < count; thread += 1) rotation.noteThread(generation);
  };
  return { rotations, failures, note };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test("after so many threads a new generation takes over, once", async (t) => {
  const { rotations, note } = createRotation();
  note(2, 1);
  t.equal(rotations.length, 0);
  note(5, 1);
  t.equal(rotations.length, 1, "what starts while it rotates asks for no second one");
  t.match(rotations[0]?.reason, /keeps threads loaded/);
  rotations[0]?.settle();
  await settled();
  note(2, 2);
  note(10, 1);
  t.equal(rotations.length, 1, "the old generation counts no more");
  note(1, 2);
  t.equal(rotations.length, 2);
});

t.test("a failed rotation is tried again after as many threads more", async (t) => {
  const { rotations, failures, note } = createRotation();
  note(3, 1);
  rotations[0]?.settle(new Error("no room"));
  await settled();
  t.equal(failures.length, 1);
  note(2, 1);
  t.equal(rotations.length, 1);
  note(1, 1);
  t.equal(rotations.length, 2);
});

t.test("an app-server that unloads its threads is left alone", async (t) => {
  const { rotations, note } = createRotation(false);
  note(100, 1);
  t.equal(rotations.length, 0);
});

t.test("a generation is idle when the last use of it is left", async (t) => {
  const idle: number[] = [];
  const use = new GenerationUse((generation) => idle.push(generation));
  use.enter(1);
  use.enter(1);
  use.enter(2);
  use.leave(1);
  t.equal(use.isIdle(1), false);
  t.same(idle, []);
  use.leave(1);
  t.equal(use.isIdle(1), true);
  t.equal(use.isIdle(2), false);
  t.same(idle, [1]);
});
