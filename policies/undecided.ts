/**
 * What `find` finds in each item. An item that cannot be read, or is unknown in a preview, hides nothing of the others: its error comes
 * when all else is told.
 */
export function* inEach<Item, Found>(items: Iterable<Item>, find: (item: Item) => Iterable<Found>): Generator<Found> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      yield* find(item);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
