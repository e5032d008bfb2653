/** Whether the path of a URL can name it: browsers fold dots, and the API refuses a hidden slash. */
export function canBeAddressed(id: string): boolean {
  return !/[/\\]/.test(id) && id !== "." && id !== "..";
}
