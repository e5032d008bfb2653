/** Between the API's times and those of `<input type="datetime-local">`, which are in the reader's zone. */

export function toLocalInput(time: string | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

export function fromLocalInput(text: string): string | undefined {
  const time = text ? new Date(text) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}
