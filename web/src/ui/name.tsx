/** Who did something: a name, or the id where no name is known for it. */
export function Name({ id, nameOf }: { id: string; nameOf: (id: string) => string }) {
  const name = nameOf(id);
  if (name === id) return <code className="font-mono text-xs break-all">{id}</code>;
  return <span title={id || undefined}>{name}</span>;
}
