/** The script for other applications' pages (`/embed.js`): it defines `<seatrial-test>`. */
import { SeatrialTest } from "./element";

if (!customElements.get("seatrial-test")) customElements.define("seatrial-test", SeatrialTest);
