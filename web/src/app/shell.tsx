import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon, PanelLeftClose, PanelLeftOpen, Search } from "lucide-react";
import { Tooltip as RadixTooltip } from "radix-ui";
import { useEffect, useState } from "react";
import { keepFresh } from "../api/freshness";
import { useMe } from "../api/hooks";
import { startLive, stopLive } from "../api/live";
import { permits } from "../api/session";
import { cx } from "../lib/classes";
import { IconButton } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Toasts } from "../ui/toast";
import { Tooltip } from "../ui/tooltip";
import { CommandPalette } from "./command_palette";
import { ConnectionBanner, ConnectionDot } from "./connection";
import { Mark } from "./mark";
import { type Place, places } from "./navigation";
import { UserMenu } from "./user_menu";

const foldedKey = "navigation";

/** What stands around every page: navigation, search, connection, user. */
export function Shell() {
  const [isFolded, setFolded] = useState(() => localStorage.getItem(foldedKey) === "folded");
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => {
    const leave = keepFresh();
    startLive();
    return () => {
      leave();
      stopLive();
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: going to another page closes the drawer
  useEffect(() => setDrawerOpen(false), [path]);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen((isOpen) => !isOpen);
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);

  const fold = () => {
    localStorage.setItem(foldedKey, isFolded ? "open" : "folded");
    setFolded(!isFolded);
  };
  return (
    <RadixTooltip.Provider skipDelayDuration={200}>
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-accent-strong px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <div className="flex min-h-dvh">
        <aside
          className={cx(
            "sticky top-0 hidden h-dvh shrink-0 flex-col border-r border-line bg-surface md:flex",
            isFolded ? "w-14" : "w-52",
          )}
        >
          <Brand isFolded={isFolded} />
          <Navigation isFolded={isFolded} />
          <div className="border-t border-line p-2">
            <IconButton label={isFolded ? "Unfold navigation" : "Fold navigation"} onClick={fold}>
              {isFolded ? (
                <PanelLeftOpen aria-hidden className="size-4" />
              ) : (
                <PanelLeftClose aria-hidden className="size-4" />
              )}
            </IconButton>
          </div>
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-b border-line bg-surface px-3">
            <IconButton label="Open navigation" className="md:hidden" onClick={() => setDrawerOpen(true)}>
              <MenuIcon aria-hidden className="size-4" />
            </IconButton>
            <button
              type="button"
              className="flex h-8 w-full min-w-0 max-w-80 items-center gap-1.5 rounded-md border border-edge/50 bg-canvas px-2.5 text-muted hover:bg-hover"
              onClick={() => setPaletteOpen(true)}
            >
              <Search aria-hidden className="size-4 shrink-0" />
              <span className="flex-1 truncate text-left">Search or go to…</span>
              <kbd className="hidden rounded-sm border border-line px-1 font-sans text-xs sm:inline">
                Ctrl K
              </kbd>
            </button>
            <div className="hidden flex-1 sm:block" />
            <ConnectionDot />
            <UserMenu />
          </header>
          <ConnectionBanner />
          <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
            <Outlet />
          </main>
        </div>
      </div>
      <Dialog isOpen={isDrawerOpen} onClose={() => setDrawerOpen(false)} title="Agent Lightning" isSheet>
        <Navigation isFolded={false} />
      </Dialog>
      <CommandPalette isOpen={isPaletteOpen} onClose={() => setPaletteOpen(false)} />
      <Toasts />
    </RadixTooltip.Provider>
  );
}

function Brand({ isFolded }: { isFolded: boolean }) {
  return (
    <Link
      to="/"
      className="flex h-12 items-center gap-2.5 border-b border-line px-4"
      aria-label="Agent Lightning, overview"
    >
      <Mark className="size-6 shrink-0" />
      {!isFolded && <span className="truncate font-semibold">Agent Lightning</span>}
    </Link>
  );
}

function Navigation({ isFolded }: { isFolded: boolean }) {
  const { permissions } = useMe();
  const seen = places
    .map(({ group, places: all }) => ({
      group,
      places: all.filter((place) => !place.permission || permits(permissions, place.permission)),
    }))
    .filter((group) => group.places.length > 0);
  return (
    <nav aria-label="Main" className="flex flex-1 flex-col gap-3 overflow-y-auto p-2">
      {seen.map((group) => (
        <div key={group.group + group.places[0]?.path}>
          {group.group && !isFolded && (
            <div className="px-2 pb-1 text-xs font-medium text-muted">{group.group}</div>
          )}
          <ul className="flex flex-col gap-0.5">
            {group.places.map((place) => (
              <li key={place.path}>
                <NavigationLink place={place} isFolded={isFolded} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function NavigationLink({ place, isFolded }: { place: Place; isFolded: boolean }) {
  const Icon = place.icon;
  const link = (
    <Link
      to={place.path}
      activeOptions={{ exact: place.path === "/", includeSearch: false }}
      aria-label={isFolded ? place.name : undefined}
      className={cx(
        "flex h-8 items-center gap-2.5 rounded-md px-2 font-medium text-muted hover:bg-hover hover:text-text",
        "aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent",
        isFolded && "justify-center",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      {!isFolded && place.name}
    </Link>
  );
  return isFolded ? <Tooltip text={place.name}>{link}</Tooltip> : link;
}
