/** Goes through an array's items in the time of what is there, however long the array says it is. */
export function eachItem(array: readonly unknown[], each: (item: unknown, index: number) => void): void {
  for (let i = 0; i < array.length; i++) {
    const item = array[i];
    if (item === undefined && !(i in array)) return eachAfter(array, i, each);
    each(item, i);
  }
}

/** From the first hole on. Names that are no index come after all that are. */
function eachAfter(array: readonly unknown[], hole: number, each: (item: unknown, index: number) => void): void {
  for (const key of Object.keys(array)) {
    const index = Number(key);
    if (!(index < array.length)) return;
    if (index > hole) each(array[index], index);
  }
}
