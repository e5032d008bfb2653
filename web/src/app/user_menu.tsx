import { Link } from "@tanstack/react-router";
import { BookText, CircleUser, Compass, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useMe } from "../api/hooks";
import { signOut } from "../api/session";
import { cx } from "../lib/classes";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../lib/theme";
import { IconButton } from "../ui/button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/menu";

const themes: { choice: ThemeChoice; name: string; icon: typeof Sun }[] = [
  { choice: "light", name: "Light", icon: Sun },
  { choice: "dark", name: "Dark", icon: Moon },
  { choice: "system", name: "As the system", icon: Monitor },
];

export function UserMenu() {
  const { user, organisation } = useMe();
  const theme = useThemeChoice();
  return (
    <Menu
      trigger={
        <IconButton label={`Signed in as ${user.email}`}>
          <CircleUser aria-hidden className="size-5" />
        </IconButton>
      }
    >
      <div className="px-2 py-1">
        <div className="font-medium">{user.full_name || user.email}</div>
        <div className="text-xs text-muted">
          {user.email} · {organisation}
        </div>
      </div>
      <MenuLine />
      <MenuItem asChild>
        <Link to="/settings">
          <CircleUser aria-hidden className="size-4" /> Profile and settings
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <Link to="/welcome">
          <Compass aria-hidden className="size-4" /> Tour
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <a href="/openapi.json" target="_blank" rel="noreferrer">
          <BookText aria-hidden className="size-4" /> API description
        </a>
      </MenuItem>
      <MenuLine />
      <MenuLabel>Theme</MenuLabel>
      {themes.map(({ choice, name, icon: Icon }) => (
        <MenuItem key={choice} onSelect={() => chooseTheme(choice)}>
          <Icon aria-hidden className="size-4" />
          <span className={cx(theme === choice && "font-semibold text-accent")}>{name}</span>
          {theme === choice && <span className="sr-only">(chosen)</span>}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => void signOut()}>
        <LogOut aria-hidden className="size-4" /> Sign out
      </MenuItem>
    </Menu>
  );
}
