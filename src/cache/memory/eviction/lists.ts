import { grow, grownLength, nowhere } from "./places.ts";

/**
 * A few doubly linked lists of places, each place in at most one of them: 8 bytes a place. The lists are circular around
 * a node of their own, so that no link is ever missing and linking asks no question.
 */
export interface Lists {
  readonly pushFront: (list: number, place: number) => void;
  readonly unlink: (place: number) => void;
  /** The place at the front, -1 if the list is empty. */
  readonly front: (list: number) => number;
  readonly back: (list: number) => number;
  /** The place before this one, towards the front; -1 at the front. */
  readonly before: (place: number) => number;
}

export function createLists(count: number): Lists {
  // Each node's neighbours lie side by side: towards the front, then towards the back. The lists' own nodes come first.
  let links = new Int32Array(2 * (count + 16));
  for (let node = 0; node < count; node += 1) {
    links[2 * node] = node;
    links[2 * node + 1] = node;
  }
  const placeOf = (node: number) => (node < count ? nowhere : node - count);

  return {
    pushFront: (list, place) => {
      const node = place + count;
      if (2 * node + 1 >= links.length) links = grow(links, grownLength(links.length, 2 * node + 1));
      const first = links[2 * list + 1] as number;
      links[2 * node] = list;
      links[2 * node + 1] = first;
      links[2 * first] = node;
      links[2 * list + 1] = node;
    },
    unlink: (place) => {
      const node = place + count;
      const before = links[2 * node] as number;
      const behind = links[2 * node + 1] as number;
      links[2 * before + 1] = behind;
      links[2 * behind] = before;
    },
    front: (list) => placeOf(links[2 * list + 1] as number),
    back: (list) => placeOf(links[2 * list] as number),
    before: (place) => placeOf(links[2 * (place + count)] as number),
  };
}
