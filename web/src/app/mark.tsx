/** The sign of the product. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className={className}>
      <rect width="32" height="32" rx="7" fill="#18181b" />
      <path d="M18 4 7 18h7l-1 10 12-15h-8z" fill="#fbbf24" />
    </svg>
  );
}
