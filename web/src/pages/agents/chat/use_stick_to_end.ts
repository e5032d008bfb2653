import { useCallback, useEffect, useRef, useState } from "react";

/** This near to the end counts as the end. */
const nearPx = 48;

/** A place that scrolls and follows what is added to its end, unless the reader has gone up. */
export function useStickToEnd(key: string) {
  const [isAtEnd, setAtEnd] = useState(true);
  const isFollowing = useRef(true);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);

  const toEnd = useCallback(() => {
    isFollowing.current = true;
    setAtEnd(true);
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation begins at its end
  useEffect(toEnd, [key, toEnd]);
  useEffect(() => {
    const place = scroller.current;
    const inside = content.current;
    if (!place || !inside) return;
    const watch = new ResizeObserver(() => {
      if (isFollowing.current) place.scrollTo({ top: place.scrollHeight });
    });
    watch.observe(inside);
    watch.observe(place);
    return () => watch.disconnect();
  }, []);

  const lastTop = useRef(0);
  const onScroll = () => {
    const place = scroller.current;
    if (!place) return;
    const isNear = place.scrollHeight - place.scrollTop - place.clientHeight < nearPx;
    // Only going up ends the following: what grows below the end is no step of the reader.
    const hasGoneUp = place.scrollTop < lastTop.current;
    lastTop.current = place.scrollTop;
    if (isNear) isFollowing.current = true;
    else if (hasGoneUp) isFollowing.current = false;
    setAtEnd(isNear || isFollowing.current);
  };
  return { scroller, content, onScroll, isAtEnd, toEnd };
}
