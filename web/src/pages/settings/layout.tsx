import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Lock } from "lucide-react";
import { useEffect, useRef } from "react";
import { useMe } from "../../api/hooks";
import { cx } from "../../lib/classes";
import { Page, Panel } from "../../ui/page";
import { Empty } from "../../ui/states";
import { groups, maySee, type Section } from "./sections";

/** The second level of navigation: a column beside the section, on narrow windows a row above it. */
export function Settings() {
  const me = useMe();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = groups.flatMap((group) => group.sections).find((section) => section.path === path);
  return (
    <div className="mx-auto w-full max-w-[1440px] lg:flex">
      <Sections path={path} />
      <div className="min-w-0 flex-1">
        {!current || maySee(current, me) ? <Outlet /> : <Hidden section={current} />}
      </div>
    </div>
  );
}

function Sections({ path }: { path: string }) {
  const me = useMe();
  const list = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: on a phone the chosen section may lie outside the row
  useEffect(() => {
    const row = list.current;
    const chosen = row?.querySelector<HTMLElement>("[aria-current]");
    if (row && chosen) row.scrollLeft = chosen.offsetLeft - (row.clientWidth - chosen.clientWidth) / 2;
  }, [path]);
  return (
    <nav
      ref={list}
      aria-label="Settings"
      className="relative flex gap-1 overflow-x-auto border-b border-line px-3 py-2 lg:sticky lg:top-12 lg:w-48 lg:shrink-0 lg:flex-col lg:gap-4 lg:self-start lg:border-0 lg:py-6 lg:pr-0 lg:pl-6"
    >
      {groups.map(({ name, sections }) => {
        const seen = sections.filter((section) => maySee(section, me));
        if (seen.length === 0) return null;
        return (
          <div key={name} className="contents lg:block">
            <div className="hidden px-2 pb-1 text-xs font-medium text-muted lg:block">{name}</div>
            <ul className="contents lg:flex lg:flex-col lg:gap-0.5">
              {seen.map((section) => (
                <li key={section.path} className="shrink-0">
                  <SectionLink section={section} />
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

function SectionLink({ section }: { section: Section }) {
  const Icon = section.icon;
  return (
    <Link
      to={section.path}
      activeOptions={{ includeSearch: false }}
      className={cx(
        "flex h-8 items-center gap-2 rounded-md px-2 font-medium whitespace-nowrap text-muted hover:bg-hover hover:text-text",
        "aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      {section.name}
    </Link>
  );
}

function Hidden({ section }: { section: Section }) {
  return (
    <Page title={section.name}>
      <Panel>
        <Empty title="You may not see this" icon={Lock}>
          {section.isOfInstallation
            ? "It is for those who run the installation."
            : `It needs the permission ${section.permission}. Ask an administrator for it.`}
        </Empty>
      </Panel>
    </Page>
  );
}
