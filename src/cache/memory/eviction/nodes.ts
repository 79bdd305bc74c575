import { grow, grownLength } from "./places.ts";

/** How many lists there are. Their own nodes are the first. */
export const listCount = 3;

// What a node's numbers are: the neighbours towards the front and the back, the hash of a key, and marks.
const behind = 1;
const hash = 2;
const mark = 3;

/**
 * Nodes of three doubly linked lists, each in one of them: 16 bytes a node, side by side because they are used together.
 * The lists are circular around a node of their own, so that no link is ever missing and linking asks no question.
 */
export class Nodes {
  private numbers = new Int32Array(4 * 16);

  constructor() {
    for (let list = 0; list < listCount; list += 1) {
      this.numbers[4 * list] = list;
      this.numbers[4 * list + behind] = list;
    }
  }

  /** A node at the front of a list; its mark is the list. */
  create(node: number, itsHash: number, list: number): void {
    const index = 4 * node;
    if (index >= this.numbers.length) this.numbers = grow(this.numbers, grownLength(this.numbers.length, index + mark));
    this.numbers[index + hash] = itsHash;
    this.numbers[index + mark] = list;
    this.linkFirst(list, node);
  }

  unlink(node: number): void {
    const { numbers } = this;
    const before = numbers[4 * node] as number;
    const next = numbers[4 * node + behind] as number;
    numbers[4 * before + behind] = next;
    numbers[4 * next] = before;
  }

  moveFirst(list: number, node: number): void {
    if (this.numbers[4 * list + behind] === node) return;
    this.unlink(node);
    this.linkFirst(list, node);
  }

  /** The node at the back of a list: the list itself, if there is none. */
  last(list: number): number {
    return this.numbers[4 * list] as number;
  }

  /** The node before this one, towards the front: the list itself, if there is none. */
  before(node: number): number {
    return this.numbers[4 * node] as number;
  }

  hash(node: number): number {
    return this.numbers[4 * node + hash] as number;
  }

  mark(node: number): number {
    return this.numbers[4 * node + mark] as number;
  }

  setMark(node: number, marks: number): void {
    this.numbers[4 * node + mark] = marks;
  }

  private linkFirst(list: number, node: number): void {
    const { numbers } = this;
    const first = numbers[4 * list + behind] as number;
    numbers[4 * node] = list;
    numbers[4 * node + behind] = first;
    numbers[4 * first] = node;
    numbers[4 * list + behind] = node;
  }
}
