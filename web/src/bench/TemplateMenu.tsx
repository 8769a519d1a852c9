import { Button, Menu } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import { bringToBench } from "./bringToBench";
import { useDraft } from "./draft";
import { TEMPLATES, type Template } from "./templates";

/** Start from an agent of a framework or provider. What was typed can be had back. */
export function TemplateMenu() {
  const draft = useDraft();

  const start = ({ name, parts }: Template) =>
    bringToBench({ ...draft, ...parts }, `Started from ${name}`);

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
