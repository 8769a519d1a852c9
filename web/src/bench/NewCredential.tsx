import { Modal } from "@mantine/core";
import { CredentialForm } from "../settings/CredentialForm";
import { changeDraft } from "./draft";

/** Stores a credential without leaving the bench; the test at the bench then uses it. */
export default function NewCredential({ onClose }: { onClose: () => void }) {
  return (
    <Modal
      opened
      onClose={onClose}
      title="Store a credential"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <CredentialForm
        onStored={({ name, provider }) => {
          // A tool's secret is no key for a model service: it is named among the variables.
          if (provider !== "secret") changeDraft({ credential: name });
          onClose();
        }}
      />
    </Modal>
  );
}
