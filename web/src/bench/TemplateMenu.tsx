import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { ChevronDown } from "lucide-react";
import { draftIsTouched, replaceDraft, useDraft } from "./draft";
import { TEMPLATES, type Template } from "./templates";
import { UndoReplaced } from "./UndoReplaced";

/** Start from an agent of a framework or provider. What was typed can be had back. */
export function TemplateMenu() {
  const draft = useDraft();

  function start({ name, parts }: Template) {
    const before = replaceDraft({ ...draft, ...parts });
    if (!draftIsTouched(before)) return;
    const id = notifications.show({
      title: `Started from ${name}`,
      message: <UndoReplaced before={before} onDone={() => notifications.hide(id)} />,
      autoClose: 15_000,
    });
  }

  return (
    <Menu position="bottom-end" keepMounted={false} width={260}>
      <Menu.Target>
        <Button size="compact-sm" variant="light" rightSection={<ChevronDown size={14} />}>
          Start from
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {TEMPLATES.map((template) => (
          <Menu.Item key={template.name} onClick={() => start(template)}>
            {template.name}
            <br />
            <small className="quiet">{template.about}</small>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
