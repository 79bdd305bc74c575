import { render } from "preact";
import { App } from "./app.tsx";
import "./style/base.css";
import "./style/layout.css";
import "./style/bar.css";
import "./style/parts.css";
import "./style/plot.css";
import "./style/overview.css";
import "./style/operations.css";
import "./style/incidents.css";
import "./style/decisions.css";
import "./style/memory.css";
import "./style/jobs.css";

const root = document.getElementById("root");
if (root !== null) render(<App />, root);
