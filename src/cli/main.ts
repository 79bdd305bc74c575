#!/usr/bin/env node
import { Command } from "commander";
import pc from "picocolors";

const program = new Command("reprise").description(`${pc.bold("Reprise")}: what a production backend runs again.`);
await program.parseAsync();
