import { defineTexts } from "./language.js";

export const partTexts = defineTexts(
  {
    copy: (text: string) => `Copy ${text}`,
    copied: "Copied",
    table: (caption: string) => `Table: ${caption}`,
    asTable: "As a table",
    median: "median",
    p95: "95 %",
    time: "Time",
    noData: "Nothing in this span of time yet.",
    plotOf: (title: string, latest: string) => `Plot: ${title}. ${latest}`,
    latest: (name: string, value: string) => `${name}: ${value}`,
  },
  {
    copy: (text: string) => `复制 ${text}`,
    copied: "已复制",
    table: (caption: string) => `表格：${caption}`,
    asTable: "以表格显示",
    median: "中位数",
    p95: "95 %",
    time: "时间",
    noData: "此时段内尚无数据。",
    plotOf: (title: string, latest: string) => `图表：${title}。${latest}`,
    latest: (name: string, value: string) => `${name}：${value}`,
  },
);
