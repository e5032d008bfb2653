/** Tag filters: `name:value` pairs with commas between them. A name has no colon, a value no comma. */

export function readTags(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((tag) => tag.indexOf(":") > 0);
}

/** With `added`; another value of the same name makes way, since nothing has both. */
export function addTag(text: string | undefined, added: string): string {
  const name = `${added.split(":")[0]}:`;
  return [...readTags(text).filter((tag) => !tag.startsWith(name)), added].join(",");
}

/** Undefined when none is left. */
export function removeTag(text: string | undefined, removed: string): string | undefined {
  return (
    readTags(text)
      .filter((tag) => tag !== removed)
      .join(",") || undefined
  );
}

/** What is wrong with what was typed; undefined: nothing. */
export function tagFault(tag: string): string | undefined {
  if (!/^[^:,]+:[^,]+$/.test(tag)) return "A tag is a name and a value: status:failed.";
}
