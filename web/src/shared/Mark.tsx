/** Seatrial's mark: a sail on water. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--mantine-color-sea-7)" />
      <path d="M17 5v15h8.500C25 13.500 22 8.500 17 5z" fill="#fff" />
      <path d="M15 9v11H7.500C8.200 15.500 11 11.500 15 9z" fill="#fff" opacity=".72" />
      <path
        d="M5 23c2.200 0 2.200 2 4.400 2s2.200-2 4.400-2 2.200 2 4.400 2 2.200-2 4.400-2 2.200 2 4.400 2"
        fill="none"
        stroke="#fff"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </svg>
  );
}
