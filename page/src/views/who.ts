/** Whoever decided last in this tab probably decides again. */
const key = "reprise-who";

export const remembered = (): string => sessionStorage.getItem(key) ?? "";
export const remember = (who: string): void => sessionStorage.setItem(key, who);
