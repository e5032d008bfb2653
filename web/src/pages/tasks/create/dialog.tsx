import { Dialog } from "../../../ui/dialog";
import { CreateForm } from "./form";

interface CreateDialogProps {
  isOpen: boolean;
  /** Chosen already. */
  agent?: string;
  onClose: () => void;
}

export function CreateDialog({ isOpen, agent, onClose }: CreateDialogProps) {
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title="Create task" isWide>
      <CreateForm agent={agent} onClose={onClose} />
    </Dialog>
  );
}
