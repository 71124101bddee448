import type { Finding } from '../../core/finding.js';
import { oneLine } from '../line.js';
import { type AnnotationLevel, isInside, workflowCommand } from '../workflow-command.js';

/** GitHub keeps ten annotations of each level and step, and drops the others without a word. */
const MOST_OF_A_LEVEL = 10;

const LEVELS: Readonly<Record<Finding['level'], AnnotationLevel>> = {
  error: 'error',
  warning: 'warning',
  info: 'notice',
};

/** Findings as workflow commands, one a line; what does not fit is counted in the last one of its level. */
export function findingAnnotations(findings: readonly Finding[]): string[] {
  return Object.entries(LEVELS).flatMap(([level, annotation]) => {
    const own = findings.filter((finding) => finding.level === level);
    if (own.length <= MOST_OF_A_LEVEL) return own.map(annotationOf);
    const shown = own.slice(0, MOST_OF_A_LEVEL - 1);
    const title = `${own.length - shown.length} more findings of level ${level}`;
    return [
      ...shown.map(annotationOf),
      workflowCommand(annotation, { title }, 'The log of this step has them all.'),
    ];
  });
}

function annotationOf({ level, rule, where, message, hint, facts }: Finding): string {
  const place = isInside(facts.file) ? { file: facts.file, line: facts.line, col: facts.column } : {};
  const text = `${oneLine(where)}: ${oneLine(message)}\n${oneLine(hint)}`;
  return workflowCommand(LEVELS[level], { ...place, title: rule }, text);
}
