import { type RefObject, useRef } from "react";

const AT_THE_END = 4;
const LASTING = 600;

/**
 * Handlers that stop following when somebody scrolls away from the end, and go on when they
 * come back to it. Scrolling that nobody's hand did (new lines, measuring) changes nothing.
 */
export function useFollowing(
  place: RefObject<HTMLElement | null>,
  onFollow: (follow: boolean) => void,
) {
  const touched = useRef(0);
  const touch = () => {
    touched.current = performance.now();
  };
  return {
    onWheel: touch,
    onTouchMove: touch,
    onKeyDown: touch,
    onPointerDown: touch,
    onPointerMove: (event: { buttons: number }) => event.buttons > 0 && touch(),
    onScroll: () => {
      const { current } = place;
      if (current === null || performance.now() - touched.current > LASTING) return;
      const below = current.scrollHeight - current.scrollTop - current.clientHeight;
      onFollow(below < AT_THE_END);
    },
  };
}
