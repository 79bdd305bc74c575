/** What the caches hold: a small object, as most do. */
export interface Product {
  readonly id: string;
  readonly price: number;
  readonly left: number;
}

export const productOf = (id: string): Product => ({ id, price: id.length, left: 3 });
