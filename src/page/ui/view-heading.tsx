import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** True from the first change of view on: what the page opens with needs no focus. */
let hasMoved = false;
addEventListener("hashchange", () => {
  hasMoved = true;
});

/** A view's heading. It has the focus after a change of view, so that a keyboard and a screen reader go on from here. */
export function ViewHeading({ children }: { readonly children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (hasMoved) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
