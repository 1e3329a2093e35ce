/** How old the IPsec key is, a line; nothing where that is not known. */
export function keyAgeText(days: number | null, most: number | undefined): string {
  if (days === null) return "";
  const overdue = most !== undefined && days > most;
  return `IPsec key: ${days} days old${overdue ? `, more than the ${most} of rotation.maxAgeDays: ./bin/wirecloak rotate` : ""}\n`;
}
