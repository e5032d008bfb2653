/** The header with which a change is refused when somebody else has changed the same thing meanwhile. */
export const ifMatch = ({ version }: { version: number }) => ({ "If-Match": `"${version}"` });
