import { Page } from "../../ui/page";
export function Welcome() {
  return <Page title="Welcome">To come.</Page>;
}
