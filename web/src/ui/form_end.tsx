import { Button } from "./button";
import { DialogActions } from "./dialog";
import { Notice } from "./states";

interface FormEndProps {
  /** What is wrong with no single field. */
  fault: string | undefined;
  action: string;
  isDangerous?: boolean;
  isBusy: boolean;
  onCancel: () => void;
}

/** How a form in a dialog ends. */
export function FormEnd({ fault, action, isDangerous, isBusy, onCancel }: FormEndProps) {
  return (
    <>
      {fault && <Notice tone="danger">{fault}</Notice>}
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look={isDangerous ? "danger" : "primary"} isBusy={isBusy}>
          {action}
        </Button>
      </DialogActions>
    </>
  );
}
