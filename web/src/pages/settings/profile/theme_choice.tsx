import { Monitor, Moon, Sun } from "lucide-react";
import { useId } from "react";
import { cx } from "../../../lib/classes";
import { type ThemeChoice as Choice, chooseTheme, useThemeChoice } from "../../../lib/theme";
import { Panel } from "../../../ui/page";

const themes: { choice: Choice; name: string; icon: typeof Sun }[] = [
  { choice: "light", name: "Light", icon: Sun },
  { choice: "dark", name: "Dark", icon: Moon },
  { choice: "system", name: "As the system", icon: Monitor },
];

export function ThemeChoice() {
  const chosen = useThemeChoice();
  const group = useId();
  return (
    <Panel title="Theme" about="of this browser">
      <div
        role="radiogroup"
        aria-label="Theme"
        className="grid gap-2 min-[380px]:grid-cols-[1fr_1fr_auto] sm:grid-cols-3"
      >
        {themes.map(({ choice, name, icon: Icon }) => (
          <label
            key={choice}
            className={cx(
              "flex h-9 cursor-pointer items-center justify-center gap-2 rounded-md border px-3 font-medium",
              "has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
              choice === chosen
                ? "border-accent bg-accent-soft text-accent"
                : "border-edge/50 hover:bg-hover",
            )}
          >
            <input
              type="radio"
              name={group}
              className="sr-only"
              checked={choice === chosen}
              onChange={() => chooseTheme(choice)}
            />
            <Icon aria-hidden className="size-4" /> {name}
          </label>
        ))}
      </div>
    </Panel>
  );
}
