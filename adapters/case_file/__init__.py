"""Calculation cases as JSON 试算案例文件: an array of cases in, an array of results out."""
