/** What is plainly so of what is shown, each with its name. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: string])[] }) {
  return (
    <dl class="figs facts">
      {facts.map(([name, value]) => (
        <div class="small" key={name}>
          <dt class="t">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
