import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { ApiProblem } from "../api/problem";
import { testQuery } from "../api/queries";
import { NotFound } from "../shared/NotFound";
import { Trouble } from "../shared/Trouble";
import { TestView } from "../test/TestView";

export const Route = createFileRoute("/tests/$testId")({ component: TestPage });

function TestPage() {
  const { testId } = Route.useParams();
  const { data, error } = useQuery(testQuery(testId));
  if (data) return <TestView key={testId} test={data} />;
  if (error instanceof ApiProblem && error.status === 404) return <NotFound what="This test" />;
  if (error) return <Trouble error={error} />;
  return <Skeleton height={320} aria-label="The test is loading" />;
}
