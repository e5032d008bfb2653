import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useCan } from "../../api/hooks";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { Tabs } from "../../ui/tabs";
import { ModelList } from "./model_list";
import { Providers } from "./providers";
import type { ModelsSearch } from "./search";
import { TryModel } from "./try_model";
import { Usage } from "./usage";

export function Models() {
  const { tab } = useSearch({ from: "/signed-in/models" });
  const navigate = useNavigate({ from: "/models" });
  const maySeeProviders = useCan("providers:read");
  const mayWriteProviders = useCan("providers:write");
  const mayUse = useCan("models:use");
  const tabs = [
    { value: "models", label: "Models", content: <ModelList /> },
    ...(maySeeProviders ? [{ value: "providers", label: "Providers", content: <Providers /> }] : []),
    ...(mayUse ? [{ value: "usage", label: "Usage", content: <Usage /> }] : []),
    ...(mayUse ? [{ value: "try", label: "Try", content: <TryModel /> }] : []),
  ];
  const show = (next: string) =>
    void navigate({ search: { tab: next === "models" ? undefined : (next as ModelsSearch["tab"]) } });
  return (
    <Page
      title="Models"
      about="What agents think with, and the accounts they are called under."
      actions={
        mayWriteProviders && (
          <Button asChild look="primary">
            <Link to="/models" search={{ tab: "providers", add: true }}>
              <Plus aria-hidden className="size-4" /> Add provider
            </Link>
          </Button>
        )
      }
    >
      <Tabs
        label="Views of models"
        value={tabs.some((each) => each.value === tab) ? (tab ?? "models") : "models"}
        onChange={show}
        tabs={tabs}
      />
    </Page>
  );
}
