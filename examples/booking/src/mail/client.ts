export interface Mail {
  readonly to: string;
  readonly about: "seat-released";
  readonly reference: string;
}

export interface Mails {
  /** Sends one mail for each key, however often it is asked. Rejects when no answer came: then nobody knows. */
  readonly send: (mail: Mail, key: string | null, signal?: AbortSignal) => Promise<{ readonly id: string }>;
}

export function createMails(address: string): Mails {
  return {
    send: async (mail, key, signal) => {
      const response = await fetch(`${address}/mails`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(key === null ? {} : { "idempotency-key": key }) },
        body: JSON.stringify(mail),
        signal: signal ?? null,
      });
      if (response.status !== 201) throw new Error(`the mail service answered ${response.status}`);
      const { id } = (await response.json()) as { readonly id: string };
      return { id };
    },
  };
}
