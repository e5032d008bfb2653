import {
  Building2,
  CircleUser,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  ScrollText,
  ShieldCheck,
  SlidersHorizontal,
  UserCog,
  Users,
} from "lucide-react";
import type { Me } from "../../api/session";
import { permits } from "../../api/session";

export interface Section {
  name: string;
  path: string;
  icon: LucideIcon;
  /** Who may not do this does not see it. */
  permission?: string;
  /** Of the installation: only its own organisation sees it, whatever the roles of another one say. */
  isOfInstallation?: boolean;
}

const ownersTenant = "default";

export const groups: { name: string; sections: Section[] }[] = [
  {
    name: "You",
    sections: [
      { name: "Profile", path: "/settings/profile", icon: CircleUser },
      { name: "Security", path: "/settings/security", icon: ShieldCheck },
      { name: "Sessions", path: "/settings/sessions", icon: MonitorSmartphone },
      { name: "API keys", path: "/settings/api-keys", icon: KeyRound },
    ],
  },
  {
    name: "Organisation",
    sections: [
      { name: "Users", path: "/settings/users", icon: Users, permission: "users:read" },
      { name: "Roles", path: "/settings/roles", icon: UserCog, permission: "roles:read" },
      { name: "Audit log", path: "/settings/audit", icon: ScrollText, permission: "audit:read" },
    ],
  },
  {
    name: "Installation",
    sections: [
      {
        name: "Organisations",
        path: "/settings/organisations",
        icon: Building2,
        permission: "organisations:read",
        isOfInstallation: true,
      },
      {
        name: "Configuration",
        path: "/settings/configuration",
        icon: SlidersHorizontal,
        permission: "configuration:read",
        isOfInstallation: true,
      },
    ],
  },
];

export function maySee(section: Section, me: Pick<Me, "permissions" | "tenant">): boolean {
  if (section.isOfInstallation && me.tenant !== ownersTenant) return false;
  return !section.permission || permits(me.permissions, section.permission);
}
